"""Class token, attention and keys of timm's transformers, against what the weights of their blocks make by hand."""

import copy

import pytest
import torch

from wsolkit import TimmBackbone
from wsolkit.errors import ConfigError

SMALL = {"embed_dim": 12, "num_heads": 3, "depth": 2}
NAMES = {
    "vit_tiny_patch16_224": 1,
    "deit_small_distilled_patch16_224": 2,
    "vit_small_patch14_reg4_dinov2": 5,
}
"""Transformers and their prefix tokens."""

LEVELS = ["blocks.0.cls", "blocks.1", "blocks.1.cls", "blocks.1.attention", "blocks.1.keys", "final", "final.cls"]
ORDER = ["blocks.0.cls", "blocks.1.attention", "blocks.1.keys", "blocks.1.cls", "blocks.1", "final.cls", "final"]


def build(name, levels=LEVELS, fused=True, **options):
    torch.manual_seed(0)
    backbone = TimmBackbone(name, levels=levels, **{**SMALL, **options})
    for block in backbone.model.blocks:
        block.attn.fused_attn = fused
        torch.nn.init.normal_(block.attn.qkv.weight, std=0.5)  # attention that is no average
        if block.attn.qkv.bias is not None:
            torch.nn.init.normal_(block.attn.qkv.bias)
    return backbone.eval()


def images(backbone):
    rows, columns = backbone.patch_size
    return torch.rand(2, 3, 2 * rows, 3 * columns, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "plain"])
@pytest.mark.parametrize(("name", "prefix"), NAMES.items(), ids=NAMES)
def test_attention_and_keys_are_those_of_the_blocks_weights(name, prefix, fused):
    backbone = build(name, fused=fused)
    pictures = images(backbone)
    seen = []
    handle = backbone.model.blocks[1].norm1.register_forward_hook(lambda _m, _i, tokens: seen.append(tokens))
    with torch.no_grad():
        levels = backbone(pictures)
    handle.remove()
    (tokens,) = seen  # (B, n, C), what goes into the attention of block 1
    attention = backbone.model.blocks[1].attn
    weight, bias = attention.qkv.weight.detach(), attention.qkv.bias.detach()
    queries = tokens @ weight[:12].T + bias[:12]
    keys = tokens @ weight[12:24].T + bias[12:24]
    for image in range(2):
        for head in range(3):
            part = slice(4 * head, 4 * head + 4)
            scores = torch.stack([keys[image, :, part] @ query / 4**0.5 for query in queries[image, :, part]])
            expected = scores.exp() / scores.exp().sum(1, keepdim=True)
            torch.testing.assert_close(levels["blocks.1.attention"][image, head], expected)
        for row in range(2):
            for column in range(3):
                cell = keys[image, prefix + 3 * row + column]
                torch.testing.assert_close(levels["blocks.1.keys"][image, :, row, column], cell)
    assert float(levels["blocks.1.attention"].max()) > 0.5  # no average


@pytest.mark.parametrize(("name", "prefix"), NAMES.items(), ids=NAMES)
@torch.no_grad()
def test_the_class_token_and_what_is_told_of_a_model(name, prefix):
    backbone = build(name)
    tokens = backbone.model.forward_features(images(backbone))
    levels = backbone(images(backbone))
    assert list(levels) == list(backbone.channels) == ORDER
    assert backbone.channels == dict(zip(ORDER, (12, 3, 12, 12, 12, 12, 12), strict=True))
    assert torch.equal(levels["final.cls"][:, :, 0, 0], tokens[:, 0])
    assert torch.equal(levels["blocks.1.cls"][:, :, 0, 0], _before_norm(backbone)[:, 0])
    assert tuple(levels["blocks.1.attention"].shape) == (2, 3, prefix + 6, prefix + 6)
    assert (backbone.prefix_tokens, tokens.shape[1]) == (prefix, prefix + 6)


def _before_norm(backbone):
    seen = []
    handle = backbone.model.norm.register_forward_pre_hook(lambda _m, given: seen.append(given[0]))
    backbone.model.forward_features(images(backbone))
    handle.remove()
    return seen[0]


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "plain"])
@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_asking_changes_nothing_of_what_the_model_computes(name, fused):
    asked = build(name, fused=fused)
    plain = build(name, ["blocks.1", "final"], fused=fused)
    assert plain.state_dict().keys() == asked.state_dict().keys()
    levels, expected = asked(images(asked)), plain(images(plain))
    assert torch.equal(levels["blocks.1"], expected["blocks.1"])
    assert torch.equal(levels["final"], expected["final"])
    assert torch.equal(asked.model.forward_features(images(asked))[:, asked.prefix_tokens], levels["final"][:, :, 0, 0])


def test_nothing_hangs_on_a_model_that_is_not_asked():
    plain = build("vit_tiny_patch16_224", ["blocks.0", "blocks.1", "final.cls"])
    assert not any(module._forward_hooks for module in plain.model.modules())
    one = build("vit_tiny_patch16_224", ["blocks.0.keys"])
    hooks = {name for name, module in one.model.named_modules() if module._forward_hooks}
    assert hooks == {"blocks.0.attn"}
    assert len(one.model.blocks) == 1  # what is deeper is cut off
    one(images(one))
    assert not one._taps["blocks.0"].found  # nothing is kept beyond the pass


def test_gradients_reach_queries_and_keys_alone_and_the_tokens_before():
    backbone = build("vit_tiny_patch16_224", ["blocks.1.attention", "blocks.1.keys"])
    levels = backbone(images(backbone))
    levels["blocks.1.attention"][:, :, 0].square().sum().backward(retain_graph=True)
    weight = backbone.model.blocks[1].attn.qkv.weight
    assert weight.grad[:12].any()
    assert weight.grad[12:24].any()
    assert not weight.grad[24:].any()
    assert backbone.model.patch_embed.proj.weight.grad.any()
    backbone.zero_grad()
    levels["blocks.1.keys"].sum().backward()
    assert not weight.grad[:12].any()
    assert torch.isfinite(weight.grad).all()


@torch.no_grad()
def test_a_copy_has_hooks_of_its_own():
    backbone = build("vit_tiny_patch16_224")
    twin = copy.deepcopy(backbone)
    torch.nn.init.zeros_(twin.model.blocks[1].attn.qkv.weight)
    torch.nn.init.zeros_(twin.model.blocks[1].attn.qkv.bias)
    flat = twin(images(twin))["blocks.1.attention"]
    torch.testing.assert_close(flat, torch.full_like(flat, 1 / 7))
    assert float(backbone(images(backbone))["blocks.1.attention"].max()) > 0.5


@torch.no_grad()
def test_rotary_positions_count_in_the_attention_and_not_in_the_keys():
    backbone = build("vit_small_patch16_dinov3", fused=False, embed_dim=24)
    attention = backbone.model.blocks[1].attn
    seen, tokens = [], []
    handles = [
        attention.attn_drop.register_forward_hook(lambda _m, _i, made: seen.append(made)),
        backbone.model.blocks[1].norm1.register_forward_hook(lambda _m, _i, made: tokens.append(made)),
    ]
    levels = backbone(images(backbone))
    for handle in handles:
        handle.remove()
    torch.testing.assert_close(levels["blocks.1.attention"], seen[0])
    keys = (tokens[0] @ attention.qkv.weight[24:48].T)[:, 5:]
    torch.testing.assert_close(levels["blocks.1.keys"].flatten(2).transpose(1, 2), keys)
    assert backbone.prefix_tokens == 5


def test_runs_in_bf16():
    backbone = build("vit_tiny_patch16_224")
    with torch.autocast("cpu", torch.bfloat16):
        levels = backbone(images(backbone))
    assert levels["blocks.1.attention"].dtype == torch.float32
    torch.testing.assert_close(levels["blocks.1.attention"].sum(-1), torch.ones(2, 3, 7))
    exact = backbone(images(backbone))["blocks.1.attention"]
    assert (levels["blocks.1.attention"] - exact).abs().max() < 0.05


def test_networks_without_tokens_say_so():
    backbone = TimmBackbone("test_resnet", levels=["layer4"])
    assert (backbone.patch_size, backbone.prefix_tokens) == (None, 0)


REFUSED = [
    ("test_resnet", "layer4.cls", r"has no level 'layer4\.cls', for it has no class token\. Transformers that have it"),
    ("test_resnet", "layer4.attention", r"for 'layer4' has no attention of all tokens to all\. Transformers that"),
    ("swin_tiny_patch4_window7_224", "layers.3.keys", r"its attention looks at windows of the image, not at all tok"),
    ("test_vit2", "final.cls", r"'final\.cls', for it has no class token"),
    ("cait_xxs24_224", "blocks.1.keys", r"its attention \(TalkingHeadAttn\) is more than a softmax over queries and"),
    ("cait_xxs24_224", "blocks.1.cls", r"timm gives no class token of that block\. Ask for 'final\.cls'\.$"),
    ("vit_tiny_patch16_224", "final.attention", r"are those of a block\. The last one's are 'blocks\.11\.attention'"),
    ("vit_tiny_patch16_224", "blocks.12.keys", r"has no place 'blocks\.12', so no level 'blocks\.12\.keys'\. Did you"),
    ("vit_tiny_patch16_224", "blocks.11.kays", r"has no level 'blocks\.11\.kays'.*Did you mean 'blocks\.11\.keys'"),
]


@pytest.mark.parametrize(("name", "level", "words"), REFUSED, ids=[f"{row[0]}-{row[1]}" for row in REFUSED])
def test_what_a_model_has_not_is_said_in_words(name, level, words):
    with torch.device("meta"), pytest.raises(ConfigError, match=words):
        TimmBackbone(name, levels=[level], **({"depth": 2} if name.startswith("cait") else {}))
