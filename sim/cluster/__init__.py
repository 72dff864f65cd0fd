"""What ECS, Classic ELB and Auto Scaling do: pure cores of the standard library alone."""
