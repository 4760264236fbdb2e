"""``suifawen train-encoder``: train the shipped sentence encoder (needs the extra ``[models]``).

A static embedding of single characters, from random vectors, with in-batch negatives
(MultipleNegativesRankingLoss) in two stages: first pairs out of statutes, to learn what
legal words go together; then lay questions with the text that answers them. What was tried
and measured stands in retrieval/README.md.
"""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

Pair = tuple[str, str]
UNKNOWN = "[UNK]"


@click.command()
@click.option(
    "--statutes",
    type=click.Path(path_type=Path, exists=True),
    help="articles.jsonl.gz with {law, article, text}; the first stage.",
)
@click.option(
    "--questions",
    type=click.Path(path_type=Path, exists=True),
    help="train.jsonl with {query, gold}; needs --corpus.",
)
@click.option(
    "--corpus",
    type=click.Path(path_type=Path, exists=True),
    help="corpus.jsonl.gz with {id, text} for the gold ids.",
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("retrieval/model"))
@click.option(
    "--hold-out",
    is_flag=True,
    help="Leave out the phrasings that `calibrate` asks with, to make its --encoder.",
)
@click.option("--dimension", default=256, show_default=True)
@click.option("--seed", default=7, show_default=True)
def command(
    statutes: Path | None, questions: Path | None, corpus: Path | None, out: Path,
    hold_out: bool, dimension: int, seed: int,
) -> None:  # fmt: skip
    """Train from kb/ and, where given, statutes and public questions; write to OUT."""
    from kb.load import load_knowledge
    from scripts.calibrate import without_held_out

    random.seed(seed)
    law = list(statute_pairs(statutes)) if statutes else []
    knowledge = load_knowledge()
    lay = phrasing_pairs(without_held_out(knowledge)[0] if hold_out else knowledge)
    if questions and corpus:
        lay += _question_pairs(questions, corpus)
    click.echo(f"pairs: statutes {len(law)}, lay {len(lay)}")
    model = train(law, lay, dimension, seed)
    _save(model, out)
    click.echo(f"written to {out}")


def train(law: list[Pair], lay: list[Pair], dimension: int, seed: int):  # type: ignore[no-untyped-def]  # torch types are only there with the extra
    """Return a `SentenceTransformer` trained on pairs out of statutes, then on lay questions."""
    model = _new_model(_characters(law + lay), dimension, seed)
    if law:
        _train(model, law, epochs=3, rate=0.02, batch=1024, name="statutes")
    _train(model, lay, epochs=6, rate=0.01, batch=512, name="lay questions")
    return model


# -- pairs: two texts that belong together -----------------------------------------


def statute_pairs(path: Path) -> Iterable[Pair]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            text = row["text"].replace("\n", "")
            if len(text) < 20:
                continue
            yield row["law"], text[:200]
            middle = len(text) // 2
            yield text[:middle][:200], text[middle:][:200]


def _question_pairs(questions: Path, corpus: Path) -> list[Pair]:
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        texts = {row["id"]: row["text"] for row in map(json.loads, lines)}
    rows = [json.loads(line) for line in questions.read_text(encoding="utf-8").splitlines()]
    return [(row["query"], texts[id_][:300]) for row in rows for id_ in row["gold"] if id_ in texts]


def phrasing_pairs(knowledge: object) -> list[Pair]:
    """Each phrasing with its entry's answer, and with another phrasing of the same entry."""
    from kb.types import Knowledge

    assert isinstance(knowledge, Knowledge)
    pairs: list[Pair] = []
    for entry in knowledge.entries.values():
        target = f"{entry.title}。{entry.answer.text}"
        others = list(entry.phrasings)
        random.shuffle(others)
        for phrasing, other in zip(entry.phrasings, others, strict=True):
            pairs.append((phrasing, target))
            if phrasing != other:
                pairs.append((phrasing, other))
    for provision in knowledge.provisions.values():
        pairs += [(p, f"{provision.heading}。{provision.text[:200]}") for p in provision.phrasings]
    return pairs


def _characters(pairs: Sequence[Pair]) -> list[str]:
    from retrieval.normalise import fold

    counts = Counter(c for pair in pairs for text in pair for c in fold(text) if not c.isspace())
    return [c for c, times in counts.most_common() if times >= 3]


# -- the model -----------------------------------------------------------------------


def _new_model(characters: Sequence[str], dimension: int, seed: int):  # type: ignore[no-untyped-def]  # torch types are only there with the extra
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    torch.manual_seed(seed)
    vocabulary = {UNKNOWN: 0} | {c: i for i, c in enumerate(characters, 1)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\s+"), behavior="removed"),
            pre_tokenizers.Split(Regex(r"."), behavior="isolated"),
        ]
    )
    module = StaticEmbedding(tokenizer, embedding_dim=dimension)
    with torch.no_grad():
        module.embedding.weight.normal_(0, dimension**-0.5)
    return SentenceTransformer(modules=[module, Normalize()], device="cpu")


def _train(model, pairs, *, epochs: int, rate: float, batch: int, name: str) -> None:  # type: ignore[no-untyped-def]  # as above
    import torch
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    from retrieval.normalise import fold

    pairs = [(fold(a), fold(b)) for a, b in pairs]
    loss_of = MultipleNegativesRankingLoss(model, scale=20.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    total = epochs * max(1, len(pairs) // batch)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, total)
    model.train()
    for epoch in range(epochs):
        random.shuffle(pairs)
        losses = []
        for start in range(0, max(1, len(pairs) - batch + 1), batch):
            part = pairs[start : start + batch]
            features = [model.preprocess([pair[side] for pair in part]) for side in (0, 1)]
            loss = loss_of(features, None)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(float(loss.detach()))
        click.echo(f"{name}: epoch {epoch + 1}, loss {sum(losses) / len(losses):.3f}")
    model.eval()


def _save(model, out: Path) -> None:  # type: ignore[no-untyped-def]  # as above
    """Write the model with 8-bit rows and one scale a row, which the stock module reads.

    `StaticEmbedding` multiplies ``embeddings`` by ``weights`` when it loads (the layout of
    model2vec), so that the table takes a quarter of its size and needs no code of ours.
    """
    import torch
    from safetensors.torch import save_file

    model.save(str(out), create_model_card=False)
    modules = json.loads((out / "modules.json").read_text(encoding="utf-8"))
    table = model[0].embedding.weight.detach()
    scale = table.abs().amax(dim=1).clamp_min(1e-8) / 127
    rows = torch.round(table / scale[:, None]).to(torch.int8)
    path = out / modules[0]["path"] / "model.safetensors"
    save_file({"embeddings": rows.contiguous(), "weights": scale.float().contiguous()}, path)
