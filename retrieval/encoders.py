"""Which encoder the settings name: the shipped one, or another of sentence-transformers."""

from __future__ import annotations

from retrieval.encoder import Encoder, EncoderError, load_encoder


def open_encoder(name: str = "") -> Encoder:
    """Return the encoder ``name``: "" is the shipped one, else a folder or a hub name.

    Raises `EncoderError` when it cannot be read, or when the extra is not installed.
    """
    if not name:
        return load_encoder()
    try:
        from retrieval.hub_encoder import HubEncoder
    except ImportError as error:
        raise EncoderError(
            f"编码模型“{name}”要用 sentence-transformers，还没有安装。"
            "请运行：pip install torch==2.13.0，再运行 pip install 'suifawen[models]'；"
            "或者去掉设置 SUIFAWEN_ENCODER，用自带的模型"
        ) from error
    return HubEncoder(name)
