"""Run inside the image: what the engine says of checkpoints that are none, one message a line."""

import os
import tempfile

from services.human_parse.engines.cihp_pgn.checkpoint import find_checkpoint
from services.human_parse.engines.cihp_pgn.tf1 import tf
from stagekit.errors import WeightsMissing


def told(folder):
    try:
        return find_checkpoint(folder)
    except WeightsMissing as error:
        return error.detail.replace("\n", " ")


with tempfile.TemporaryDirectory() as folder:
    print(told(folder))
    with open(os.path.join(folder, "checkpoint"), "w") as file:
        file.write('model_checkpoint_path: "model.ckpt-593292"\n')
    print(told(folder))
    with tf.Session() as session:
        variables = {"conv1/weights": tf.Variable(tf.zeros((7, 7, 4, 64))), "bn_conv1/beta": tf.Variable(tf.zeros(64))}
        session.run(tf.global_variables_initializer())
        tf.train.Saver(variables).save(session, os.path.join(folder, "model.ckpt-593292"), write_state=False)
    print(told(folder))
