"""`howsfit evaluate`: numbers of a folder of results that can be compared with other people's.

commands.py     the command
protocols.py    what is measured, and how: pinned, as data
pictures.py     which result belongs to which picture of the data set
evaluate.py     a folder measured
measures.py     SSIM and PSNR without Torch
networks.py     what Torch's libraries measure
backbones.py    the weights of their networks
statistics.py   intervals, and tests of pairs
compare.py      two evaluations, if they may be compared
report.py       JSON, table, sheet of the worst
"""
