"""Orders: taken once, executed exactly once, told as they go.

model      what an order is, and the table of its moves
routing    which venue's quote to take, and why
retry      what follows a failed attempt
execution  one order from PENDING to its end
watch      transactions in flight
journal    moves committed together and published once true
pace       how many executions at once, and how fast
usage      what accounts have open and ordered today
store      the SQL
engine     the public face: place, cancel, read, recover
"""
