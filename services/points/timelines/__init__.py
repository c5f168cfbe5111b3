"""What happened to a member, in one order and with every cause; and why an order gave what it gave. Only reads.

It stands above the other packages and looks at their tables, as a report does; it writes nothing.
"""
