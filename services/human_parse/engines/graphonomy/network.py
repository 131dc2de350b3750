"""Graphonomy's CIHP transfer model in Torch; parameters bear the names of the published file.

Source: Gong et al., "Graphonomy: Universal Human Parsing via Graph Transfer Learning", CVPR 2019, on Chen et al.,
"Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation" (DeepLab v3+), ECCV 2018.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

CLASSES, SOURCE_CLASSES = 20, 7
"""CIHP's labels, which are parsed, and those of the Pascal-Person-Part graph that the model was trained on before."""

FEATURES, HIDDEN = 256, 128
"""Channels of the decoder's features, and of the nodes of the graphs."""


class Graphonomy(nn.Module):
    """(n, 3, h, w) BGR in -1..1 -> (n, 20, h, w) logits."""

    def __init__(self) -> None:
        super().__init__()
        self.xception_features = Xception()
        self.aspp1 = PlainBranch()
        self.aspp2 = AtrousBranch(2048, FEATURES, 6)
        self.aspp3 = AtrousBranch(2048, FEATURES, 12)
        self.aspp4 = AtrousBranch(2048, FEATURES, 18)
        self.global_avg_pool = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(2048, FEATURES, 1, bias=False), nn.BatchNorm2d(FEATURES), nn.ReLU()
        )
        self.concat_projection_conv1 = nn.Conv2d(5 * FEATURES, FEATURES, 1, bias=False)
        self.concat_projection_bn1 = nn.BatchNorm2d(FEATURES)
        self.feature_projection_conv1 = nn.Conv2d(256, 48, 1, bias=False)
        self.feature_projection_bn1 = nn.BatchNorm2d(48)
        self.decoder = nn.Sequential(AtrousBranch(FEATURES + 48, FEATURES, 1), AtrousBranch(FEATURES, FEATURES, 1))
        self._add_graphs()
        self.semantic = nn.Conv2d(FEATURES, CLASSES, 1)

    def _add_graphs(self) -> None:
        self.source_featuremap_2_graph = FeaturesToGraph(SOURCE_CLASSES)
        self.target_featuremap_2_graph = FeaturesToGraph(CLASSES)
        for number in (1, 2, 3):
            self.add_module("source_graph_conv%d" % number, GraphConvolution(HIDDEN))
            self.add_module("target_graph_conv%d" % number, GraphConvolution(HIDDEN))
        self.transpose_graph = GraphTransfer()
        self.fc_graph = GraphConvolution(3 * HIDDEN)
        self.target_graph_2_fea = GraphToFeatures()
        self.target_skip_conv = nn.Sequential(nn.Conv2d(FEATURES, FEATURES, 1), nn.ReLU())
        with np.load(Path(__file__).with_name("adjacency.npz")) as matrices:
            for name, matrix in (
                ("cihp", matrices["cihp"]),
                ("pascal", matrices["pascal"]),
                ("pascal_to_cihp", matrices["cihp_to_pascal"].T),
            ):
                self.register_buffer(name, torch.from_numpy(matrix.astype(np.float32)), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        features = self._features(image)
        graph = self._reason(features)
        features = self.target_skip_conv(features) + self.target_graph_2_fea(graph, features)
        return enlarge(self.semantic(features), image)

    def _features(self, image: Tensor) -> Tensor:
        """DeepLab v3+ up to its classifier: (n, 256, h/4, w/4)."""
        deep, low = self.xception_features(image)
        branches = [branch(deep) for branch in (self.aspp1, self.aspp2, self.aspp3, self.aspp4)]
        branches.append(self.global_avg_pool(deep).expand_as(branches[0]))
        deep = functional.relu(self.concat_projection_bn1(self.concat_projection_conv1(torch.cat(branches, 1))))
        low = functional.relu(self.feature_projection_bn1(self.feature_projection_conv1(low)))
        return self.decoder(torch.cat((enlarge(deep, low), low), 1))

    def _reason(self, features: Tensor) -> Tensor:
        """The graph of the 20 labels, three times refined by the graph of the source data set: (n, 20, 128)."""
        source = self.source_featuremap_2_graph(features)
        graph = self.target_featuremap_2_graph(features)
        # The published model uses the second source convolution twice, and never the third.
        for source_conv, target_conv in (
            (self.source_graph_conv1, self.target_graph_conv1),
            (self.source_graph_conv2, self.target_graph_conv2),
            (self.source_graph_conv2, self.target_graph_conv3),
        ):
            source = source_conv(source, self.pascal)
            transferred = self.transpose_graph(source, self.pascal_to_cihp)
            graph = self.fc_graph(torch.cat((graph, by_similarity(source, graph), transferred), -1))
            graph = target_conv(graph, self.cihp)
        return graph


def enlarge(planes: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(planes, like.shape[2:], mode="bilinear", align_corners=True)


# -- graphs: nodes are (n, nodes, channels) ----------------------------------------------------------------------------


def by_similarity(source: Tensor, target: Tensor) -> Tensor:
    """For each target node the mean of the source nodes, weighted by how alike they are."""
    alike = functional.normalize(target, dim=-1) @ functional.normalize(source, dim=-1).transpose(1, 2)
    return alike.softmax(-1) @ source


class GraphConvolution(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, HIDDEN))

    def forward(self, nodes: Tensor, adjacency: "Tensor | None" = None) -> Tensor:
        nodes = nodes @ self.weight
        return functional.relu(nodes if adjacency is None else adjacency @ nodes)


class GraphTransfer(nn.Module):
    """From the source's nodes to the target's, over a fixed matrix of how near the labels' names are."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(HIDDEN, HIDDEN))
        self.adj = nn.Parameter(torch.empty(CLASSES, SOURCE_CLASSES))  # in the published file, but not used

    def forward(self, nodes: Tensor, nearness: Tensor) -> Tensor:
        return functional.relu(functional.relu(nearness).softmax(-1) @ (nodes @ self.weight))


class FeaturesToGraph(nn.Module):
    """Every pixel is shared out among the nodes; a node is the sum of its shares."""

    def __init__(self, nodes: int) -> None:
        super().__init__()
        self.pre_fea = nn.Parameter(torch.empty(FEATURES, nodes))
        self.weight = nn.Parameter(torch.empty(FEATURES, HIDDEN))

    def forward(self, features: Tensor) -> Tensor:
        pixels = features.flatten(2).transpose(1, 2)
        shares = (pixels @ self.pre_fea).softmax(-1)
        return functional.relu(shares.transpose(1, 2) @ (pixels @ self.weight))


class GraphToFeatures(nn.Module):
    """Every pixel takes a weighted mean of the nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.node_fea_for_res = nn.Parameter(torch.empty(FEATURES, 1))
        self.node_fea_for_hidden = nn.Parameter(torch.empty(HIDDEN, 1))
        self.weight = nn.Parameter(torch.empty(HIDDEN, FEATURES))

    def forward(self, nodes: Tensor, features: Tensor) -> Tensor:
        pixels = features.flatten(2).transpose(1, 2)
        scores = pixels @ self.node_fea_for_res + (nodes @ self.node_fea_for_hidden).transpose(1, 2)
        taken = scores.softmax(-1) @ (nodes @ self.weight)
        return functional.relu(taken.transpose(1, 2).reshape_as(features))


# -- DeepLab v3+ -------------------------------------------------------------------------------------------------------


class PlainBranch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.atrous_convolution = nn.Conv2d(2048, FEATURES, 1, bias=False)
        self.bn = nn.BatchNorm2d(FEATURES)

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(self.bn(self.atrous_convolution(features)))


class AtrousBranch(nn.Module):
    def __init__(self, taken: int, given: int, dilation: int) -> None:
        super().__init__()
        self.atrous_convolution = Separable(taken, given, dilation=dilation, activated=True)

    def forward(self, features: Tensor) -> Tensor:
        return self.atrous_convolution(features)


class Separable(nn.Module):
    """A convolution of each channel, then one across channels; `activated`: with a ReLU after each."""

    def __init__(self, taken: int, given: int, stride: int = 1, dilation: int = 1, activated: bool = False) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(taken, taken, 3, stride, dilation, dilation, groups=taken, bias=False)
        self.depthwise_bn = nn.BatchNorm2d(taken)
        self.pointwise = nn.Conv2d(taken, given, 1, bias=False)
        self.pointwise_bn = nn.BatchNorm2d(given)
        self.activation = nn.ReLU() if activated else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        features = self.activation(self.depthwise_bn(self.depthwise(features)))
        return self.activation(self.pointwise_bn(self.pointwise(features)))


class Xception(nn.Module):
    """The modified aligned Xception of output stride 16. Gives (n, 2048, h/16, w/16) and (n, 256, h/4, w/4)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 64, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(64)
        self.block1 = Block([64, 128, 128, 128], stride=2, relu_first=False)
        self.block2 = ForkingBlock([128, 256, 256, 256])
        self.block3 = Block([256, 728, 728, 728], stride=2)
        for number in range(4, 20):
            self.add_module("block%d" % number, Block([728, 728, 728, 728]))
        self.block20 = Block([728, 728, 1024, 1024])
        self.conv3 = Separable(1024, 1536, dilation=2, activated=True)
        self.conv4 = Separable(1536, 1536, dilation=2, activated=True)
        self.conv5 = Separable(1536, 2048, dilation=2, activated=True)

    def forward(self, image: Tensor) -> "tuple[Tensor, Tensor]":
        features = functional.relu(self.bn1(self.conv1(image)))
        features = functional.relu(self.bn2(self.conv2(features)))
        features, low = self.block2(self.block1(features))
        for number in range(3, 21):
            features = getattr(self, "block%d" % number)(features)
        return self.conv5(self.conv4(self.conv3(features))), low


class Block(nn.Module):
    """Three separable convolutions, the last of which has the stride, and a way around them.

    channels: taken, and given by each. relu_first: the input is rectified, for the way around as well: the published
    model does that in place.
    """

    def __init__(self, channels: "list[int]", stride: int = 1, relu_first: bool = True) -> None:
        super().__init__()
        if channels[0] != channels[3] or stride != 1:
            self.skip = nn.Conv2d(channels[0], channels[3], 1, stride, bias=False)
            self.skipbn = nn.BatchNorm2d(channels[3])
        self.relu_first = relu_first
        self._add_convolutions(channels, stride)

    def _add_convolutions(self, channels: "list[int]", stride: int) -> None:
        taken, first, second, third = channels
        steps = [nn.ReLU(), Separable(taken, first), nn.ReLU(), Separable(first, second), nn.ReLU(),
                 Separable(second, third, stride)]  # fmt: skip
        self.rep = nn.Sequential(*steps[0 if self.relu_first else 1 :])

    def forward(self, features: Tensor) -> Tensor:
        if self.relu_first:
            features = functional.relu(features)
        return self.rep(features) + self._around(features)

    def _around(self, features: Tensor) -> Tensor:
        return self.skipbn(self.skip(features)) if hasattr(self, "skip") else features


class ForkingBlock(Block):
    """A block of stride 2 that gives what it has before the stride as well."""

    def __init__(self, channels: "list[int]") -> None:
        super().__init__(channels, stride=2)

    def _add_convolutions(self, channels: "list[int]", stride: int) -> None:
        taken, first, second, third = channels
        self.rep = nn.Sequential(nn.ReLU(), Separable(taken, first), nn.ReLU(), Separable(first, second))
        self.block2_lastconv = nn.Sequential(nn.ReLU(), Separable(second, third, stride))

    def forward(self, features: Tensor) -> "tuple[Tensor, Tensor]":
        features = functional.relu(features)
        low = self.rep(features)
        return self.block2_lastconv(low) + self._around(features), low
