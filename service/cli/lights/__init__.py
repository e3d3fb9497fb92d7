"""The lights of `opayo-syspro doctor`: what is asked of each system, and what a red light means.

One fault lights one lamp. What could not be asked for it, since an earlier lamp is red, is *not checked*.
"""
