"""The live page: a picture of the running stack in a browser, and the buttons to break it.

`observe` asks what there is, `draw` makes a picture of it, `difference` finds what has changed, and `server` sends that
to the page. The page asks for acts, which `acts` performs by the same functions as the command line.
"""
