"""`howsfit weights`: bring the engines' weights here, and make sure that they are the right ones.

commands.py   the subcommands list, pull, verify, import
sets.py       which sets are meant, and how each is
pull.py       a set: its mirrors, its archive, its licence
download.py   one file from one address, resumed where it broke off
install.py    a file that is here: recognised, put in its place, recorded
structure.py  names and shapes of the arrays in a file, read without the framework that wrote it
lock.py       weights.lock.json
"""
