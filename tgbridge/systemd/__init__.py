"""What a service manager hands to a service, and is told by it. By hand, since it is a few lines of each.

Without one there is nothing in the environment, and all of this does nothing.
"""
