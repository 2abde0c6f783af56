"""The SQL of orders, and the only place with it.

write   insert, advance, lease, cancel: many orders per statement
read    orders, events, attempts, usage
queue   what is open, added up
stop    the kill switch
"""
