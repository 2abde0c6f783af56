"""The SQL of orders, and the only place with it.

write   insert, advance, lease, cancel: many orders per statement
read    orders, events, attempts, usage
queue   what is open, added up
known   what a process that counts open orders asks of others' orders
signing what the process that signs says of itself
stop    the kill switch
"""
