"""What Auto Scaling decides: when an instance is launched or ends, and how many tasks a service should have.

- **An Auto Scaling group**: `scaling_group` is its step, and `group_requests` is what users ask of it. Beside them:
  what a group is (`group_state`), what one step may do (`group_turn`), life-cycle hooks (`lifecycle_hooks`), zones
  (`zones`), which instance ends (`termination_policies`), and what the group says it did (`scaling_activities`).
- **A group's scaling**: policies move its desired capacity by alarms (`group_policies`), and scheduled actions do
  at their times (`scheduled_actions`, `cron`).
- **An instance refresh** (`instance_refresh`, `refresh_preferences`) replaces a group's instances.
- **Application Auto Scaling** (`scaling_policies`) moves the desired count of a service by alarms.
"""
