"""Calls of torchvision and timm that build a network of the zoo, verified by their counts.

Every call was made with torchvision 0.29.2 and timm 1.0.31. Parameters and multiply-adds were counted by torch, and the
shapes of the parameters were compared with those that effviz builds; timm writes the first two linear layers of VGG as
convolutions, and both libraries write the 1x1 convolutions of ConvNeXt as linear layers. Calls that disagree are left
out: MobileNetV3 and ShuffleNetV2 of torchvision at other widths, its RegNetX-400MF and RegNetY-800MF, and timm's
MobileNetV3-Small at 0.5, which keeps the width of the stem.
"""

from functools import partial
from typing import NamedTuple

from effviz.core.errors import MAX_RESOLUTION, DesignError, if_legal
from effviz.core.resolution import sides
from effviz.count.totals import network_totals
from effviz.model.design import Design, as_design
from effviz.model.fields import FieldBlock
from effviz.zoo import architecture

TORCHVISION = "torchvision.models.{}"
TIMM = 'timm.create_model("{}")'

# The largest image: timm's VGG replaces the first linear layer with a 7 x 7 convolution of the last map and pools its
# output. From 256 pixels on the map is 8 x 8 and has several such windows, whereas the other VGGs pool the map first.
_ONE_WINDOW = {TIMM.format("vgg16"): 255}


class LibraryCall(NamedTuple):
    """A call, the network of the zoo that it builds, and the parameters counted in the module that it returned."""

    text: str
    network: str
    width_mult: float
    params: int


_ROWS = (
    # torchvision                     timm                          network                     width      params
    ("alexnet()",                     "",                           "alexnet",                    1.0,  61_100_840),
    ("vgg16()",                       "vgg16",                      "vgg16",                      1.0, 138_357_544),
    ("resnet18()",                    "resnet18",                   "resnet18",                   1.0,  11_689_512),
    ("resnet34()",                    "resnet34",                   "resnet34",                   1.0,  21_797_672),
    ("resnet50()",                    "resnet50",                   "resnet50",                   1.0,  25_557_032),
    ("resnet101()",                   "resnet101",                  "resnet101",                  1.0,  44_549_160),
    ("resnext50_32x4d()",             "resnext50_32x4d",            "resnext50_32x4d",            1.0,  25_028_904),
    ("densenet121()",                 "densenet121",                "densenet121",                1.0,   7_978_856),
    ("squeezenet1_1()",               "",                           "squeezenet1_1",              1.0,   1_235_496),
    ("",                              "mobilenetv1_100",            "mobilenet_v1",               1.0,   4_231_976),
    ("",                              "mobilenetv1_125",            "mobilenet_v1",              1.25,   6_270_840),
    ("mobilenet_v2(width_mult=0.1)",  "",                           "mobilenet_v2",               0.1,   1_367_080),
    ("mobilenet_v2(width_mult=0.25)", "",                           "mobilenet_v2",              0.25,   1_519_112),
    ("mobilenet_v2(width_mult=0.35)", "mobilenetv2_035",            "mobilenet_v2",              0.35,   1_677_128),
    ("mobilenet_v2(width_mult=0.5)",  "mobilenetv2_050",            "mobilenet_v2",               0.5,   1_968_680),
    ("mobilenet_v2(width_mult=0.75)", "mobilenetv2_075",            "mobilenet_v2",              0.75,   2_636_424),
    ("mobilenet_v2()",                "mobilenetv2_100",            "mobilenet_v2",               1.0,   3_504_872),
    ("mobilenet_v2(width_mult=1.1)",  "",                           "mobilenet_v2",               1.1,   4_074_280),
    ("mobilenet_v2(width_mult=1.25)", "",                           "mobilenet_v2",              1.25,   5_050_376),
    ("mobilenet_v2(width_mult=1.3)",  "",                           "mobilenet_v2",               1.3,   5_386_792),
    ("mobilenet_v2(width_mult=1.4)",  "mobilenetv2_140",            "mobilenet_v2",               1.4,   6_108_776),
    ("mobilenet_v2(width_mult=1.5)",  "",                           "mobilenet_v2",               1.5,   6_858_152),
    ("mobilenet_v2(width_mult=2.0)",  "",                           "mobilenet_v2",               2.0,  11_258_088),
    ("mobilenet_v3_small()",          "mobilenetv3_small_100",      "mobilenet_v3_small",         1.0,   2_542_856),
    ("",                              "mobilenetv3_small_075",      "mobilenet_v3_small",        0.75,   2_041_872),
    ("mobilenet_v3_large()",          "mobilenetv3_large_100",      "mobilenet_v3_large",         1.0,   5_483_032),
    ("",                              "mobilenetv3_large_075",      "mobilenet_v3_large",        0.75,   3_993_528),
    ("shufflenet_v2_x0_5()",          "",                           "shufflenet_v2",              0.5,   1_366_792),
    ("MNASNet(0.25)",                 "",                           "mnasnet_b1",                0.25,   1_606_024),
    ("MNASNet(0.35)",                 "",                           "mnasnet_b1",                0.35,   1_788_232),
    ("mnasnet0_5()",                  "mnasnet_050",                "mnasnet_b1",                 0.5,   2_218_512),
    ("mnasnet0_75()",                 "mnasnet_075",                "mnasnet_b1",                0.75,   3_170_208),
    ("mnasnet1_0()",                  "mnasnet_100",                "mnasnet_b1",                 1.0,   4_383_312),
    ("mnasnet1_3()",                  "",                           "mnasnet_b1",                 1.3,   6_282_256),
    ("MNASNet(1.4)",                  "mnasnet_140",                "mnasnet_b1",                 1.4,   7_115_728),
    ("MNASNet(2.0)",                  "",                           "mnasnet_b1",                 2.0,  12_469_944),
    ("",                              "semnasnet_050",              "mnasnet_a1",                 0.5,   2_082_006),
    ("",                              "semnasnet_075",              "mnasnet_a1",                0.75,   2_912_278),
    ("",                              "semnasnet_100",              "mnasnet_a1",                 1.0,   3_887_038),
    ("",                              "semnasnet_140",              "mnasnet_a1",                 1.4,   6_105_992),
    ("efficientnet_b0()",             "efficientnet_b0",            "efficientnet_b0",            1.0,   5_288_548),
    ("efficientnet_b1()",             "efficientnet_b1",            "efficientnet_b1",            1.0,   7_794_184),
    ("efficientnet_b2()",             "efficientnet_b2",            "efficientnet_b2",            1.0,   9_109_994),
    ("efficientnet_b3()",             "efficientnet_b3",            "efficientnet_b3",            1.0,  12_233_232),
    ("efficientnet_b4()",             "efficientnet_b4",            "efficientnet_b4",            1.0,  19_341_616),
    ("efficientnet_b5()",             "efficientnet_b5",            "efficientnet_b5",            1.0,  30_389_784),
    ("efficientnet_b6()",             "efficientnet_b6",            "efficientnet_b6",            1.0,  43_040_704),
    ("efficientnet_b7()",             "efficientnet_b7",            "efficientnet_b7",            1.0,  66_347_960),
    ("",                              "ghostnet_050",               "ghostnet",                   0.5,   2_587_292),
    ("",                              "ghostnet_100",               "ghostnet",                   1.0,   5_182_508),
    ("",                              "ghostnet_130",               "ghostnet",                   1.3,   7_358_820),
    ("",                              "ghostnetv2_100",             "ghostnet_v2",                1.0,   6_156_908),
    ("",                              "ghostnetv2_130",             "ghostnet_v2",                1.3,   8_960_404),
    ("",                              "ghostnetv2_160",             "ghostnet_v2",                1.6,  12_392_698),
    ("densenet169()",                 "densenet169",                "densenet169",                1.0,  14_149_480),
    ("resnext101_32x8d()",            "resnext101_32x8d",           "resnext101_32x8d",           1.0,  88_791_336),
    ("wide_resnet50_2()",             "wide_resnet50_2",            "wide_resnet50_2",            1.0,  68_883_240),
    ("squeezenet1_0()",               "",                           "squeezenet1_0",              1.0,   1_248_424),
    ("efficientnet_v2_s()",           "tf_efficientnetv2_s",        "efficientnet_v2_s",          1.0,  21_458_488),
    ("efficientnet_v2_m()",           "tf_efficientnetv2_m",        "efficientnet_v2_m",          1.0,  54_139_356),
    ("",                              "efficientnet_lite0",         "efficientnet_lite0",         1.0,   4_652_008),
    ("",                              "efficientnet_lite1",         "efficientnet_lite1",         1.0,   5_416_680),
    ("",                              "efficientnet_lite2",         "efficientnet_lite2",         1.0,   6_092_072),
    ("",                              "efficientnet_lite3",         "efficientnet_lite3",         1.0,   8_197_096),
    ("",                              "efficientnet_lite4",         "efficientnet_lite4",         1.0,  13_006_568),
    ("",                              "regnetx_002",                "regnetx_200mf",              1.0,   2_684_792),
    ("",                              "regnetx_004",                "regnetx_400mf",              1.0,   5_157_512),
    ("",                              "regnetx_006",                "regnetx_600mf",              1.0,   6_196_040),
    ("regnet_x_800mf()",              "regnetx_008",                "regnetx_800mf",              1.0,   7_259_656),
    ("regnet_x_1_6gf()",              "regnetx_016",                "regnetx_1_6gf",              1.0,   9_190_136),
    ("regnet_x_3_2gf()",              "regnetx_032",                "regnetx_3_2gf",              1.0,  15_296_552),
    ("",                              "regnetx_040",                "regnetx_4_0gf",              1.0,  22_118_248),
    ("",                              "regnety_002",                "regnety_200mf",              1.0,   3_162_996),
    ("regnet_y_400mf()",              "regnety_004",                "regnety_400mf",              1.0,   4_344_144),
    ("",                              "regnety_006",                "regnety_600mf",              1.0,   6_055_160),
    ("",                              "regnety_008",                "regnety_800mf",              1.0,   6_263_168),
    ("regnet_y_1_6gf()",              "regnety_016",                "regnety_1_6gf",              1.0,  11_202_430),
    ("regnet_y_3_2gf()",              "regnety_032",                "regnety_3_2gf",              1.0,  19_436_338),
    ("",                              "regnety_040",                "regnety_4_0gf",              1.0,  20_646_656),
    ("convnext_tiny()",               "convnext_tiny",              "convnext_tiny",              1.0,  28_589_128),
    ("",                              "fasternet_t0",               "fasternet_t0",               1.0,   3_905_500),
    ("",                              "fasternet_t1",               "fasternet_t0",               1.6,   7_595_368),
    ("",                              "mobilenetv4_conv_small_035", "mobilenet_v4_conv_small",   0.35,   1_905_384),
    ("",                              "mobilenetv4_conv_small_050", "mobilenet_v4_conv_small",    0.5,   2_238_952),
    ("",                              "mobilenetv4_conv_small",     "mobilenet_v4_conv_small",    1.0,   3_774_024),
    ("",                              "mobilenetv4_conv_medium",    "mobilenet_v4_conv_medium",   1.0,   9_715_512),
)  # fmt: skip

CALLS = tuple(
    LibraryCall(written.format(name), network, width_mult, params)
    for torchvision, timm, network, width_mult, params in _ROWS
    for written, name in ((TORCHVISION, torchvision), (TIMM, timm))
    if name
)
"""Every verified call."""


def library_calls(design: Design) -> tuple[str, ...]:
    """Return the calls of torchvision and timm that build `design`, those of torchvision first.

    A call is listed if it has as many parameters as the design, and if its network of the zoo consists of the same
    blocks. Names are not compared.
    """
    params, blocks = network_totals(as_design(design))[0], _blocks(design)
    return tuple(
        call.text
        for call in CALLS
        if call.params == params
        and max(sides(design.resolution)) <= _ONE_WINDOW.get(call.text, MAX_RESOLUTION)
        and blocks == _blocks_of(call, design)
    )


class Nearest(NamedTuple):
    """A call that builds a similar network, and the difference."""

    text: str
    params: int  # of the network that it builds
    differing: tuple[str, ...]  # paths of the blocks that only one of both has, or that differ
    blocks: int  # of both networks, those with one path counted once


def nearest_call(design: Design) -> Nearest | None:
    """Return the call with the most equal blocks among the networks of the same name, else of the same family.

    Blocks are equal if their path, their settings and the shape of their input are.
    """
    ours = _paths(as_design(design))
    params = network_totals(design)[0]
    found: list[tuple[bool, Nearest]] = []
    for call in CALLS:
        made = if_legal(partial(architecture, call.network, width_mult=call.width_mult, resolution=design.resolution))
        theirs = made and made.family == design.family and if_legal(partial(_paths, made))
        if theirs:
            paths = list(ours | theirs)
            differing = tuple(path for path in paths if ours.get(path) != theirs.get(path))
            found.append((call.network != design.name, Nearest(call.text, call.params, differing, len(paths))))

    def distance(entry: tuple[bool, Nearest]) -> tuple[bool, float, int]:
        return entry[0], len(entry[1].differing) / entry[1].blocks, abs(entry[1].params - params)

    return min(found, key=distance)[1] if found else None


def _paths(design: Design) -> dict[str, tuple[FieldBlock, tuple[int, ...]]]:
    return {entry.path: (entry.block, entry.shape) for entry in design.blocks()}


def _blocks(design: Design) -> list[tuple[FieldBlock, tuple[int, ...]]]:
    return [(entry.block, entry.shape) for entry in design.blocks()]


def _blocks_of(call: LibraryCall, design: Design) -> list[tuple[FieldBlock, tuple[int, ...]]]:
    try:
        return _blocks(architecture(call.network, width_mult=call.width_mult, resolution=design.resolution))
    except DesignError:
        # The image is too small for this network, so the design is another one.
        return []
