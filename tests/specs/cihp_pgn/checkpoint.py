"""Write a checkpoint folder of CIHP_PGN with deterministic weights: python3.6 -m tests.specs.cihp_pgn.checkpoint FOLDER

The weights are random, but the same everywhere: with them the published network gave the golden run beside this file. They
test loading, arithmetic and speed; what they label is noise.
"""

import json
import os
import sys

from services.human_parse.engines.cihp_pgn.tf1 import tf
from tests.specs.fill import fill

HERE = os.path.dirname(os.path.abspath(__file__))


def write_checkpoint(folder, change=None):
    """Files as the published archive has them. change: a function that changes the arrays before (name -> array)."""
    with open(os.path.join(HERE, "variables.json")) as file:
        arrays = fill(json.load(file))
    if change is not None:
        change(arrays)
    os.makedirs(folder, exist_ok=True)
    with tf.Graph().as_default(), tf.Session() as session:
        fed = {name: tf.placeholder(tf.float32, array.shape) for name, array in arrays.items()}
        variables = {name: tf.Variable(value, name=name) for name, value in fed.items()}
        for name, variable in variables.items():
            session.run(variable.initializer, {fed[name]: arrays[name]})
        tf.train.Saver(variables).save(session, os.path.join(folder, "model.ckpt-593292"), write_state=False)
    with open(os.path.join(folder, "checkpoint"), "w") as file:  # with a foreign path, as the published one may have
        file.write('model_checkpoint_path: "/home/somebody/checkpoint/CIHP_pgn/model.ckpt-593292"\n')


if __name__ == "__main__":
    write_checkpoint(sys.argv[1])
