"""From the YAML files to `Knowledge`.

Two layers: the shipped ``kb/`` and the operator's ``DATA/kb/``, the same folders and the
same shapes. The operator's entry wins by id; `withdrawn.yaml` takes shipped ones away.
All mistakes of all files are collected before any is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import field, replace
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from kb import approval
from kb.numerals import parse_article
from kb.statement import StatementError, parse_statement
from kb.types import (
    Article,
    Document,
    Entry,
    Facet,
    Hotline,
    Kind,
    Knowledge,
    LawVersion,
    Office,
    Place,
    Provision,
    Statement,
    Topic,
)
from kb.value import value
from kb.yamlfile import KnowledgeError, Problem, YamlFile, load_yaml, parse_file

SHIPPED = Path(__file__).parent
T = TypeVar("T")


# -- the shapes of the files ---------------------------------------------------


@value
class EntryShape:
    """One entry as an editor writes it; the facets stand beside the other keys."""

    id: str
    title: str
    answer: str
    topic: str | None = None
    """Only for services: the topic a question about it belongs to."""
    steps: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    bring: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    cost: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    who: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    dont: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    hotlines: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    provisions: tuple[str, ...] = ()
    must_mention: tuple[str, ...] = ()
    phrasings: tuple[str, ...] = ()
    handoff: tuple[str, ...] = ()
    owner: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    verified_on: date | None = None
    review_by: date | None = None
    approved_by: str | None = None


@value
class SituationFile:
    topic: str
    owner: str = ""
    verified_on: date
    review_by: date
    situations: tuple[EntryShape, ...]


@value
class ServiceFile:
    owner: str = ""
    verified_on: date
    review_by: date
    services: tuple[EntryShape, ...]


@value
class TopicShape:
    name: str
    default: tuple[str, ...] = ()


@value
class TopicFile:
    topics: dict[str, TopicShape]


@value
class HotlineShape:
    name: str
    purpose: str
    not_for: str = ""
    dial: bool = True


@value
class HotlineFile:
    hotlines: dict[str, HotlineShape]


@value
class DocumentFile:
    documents: tuple[Document, ...]


@value
class ProvisionFile:
    """Written by the parser of `kb.sources`; not edited by hand."""

    provisions: tuple[Provision, ...]


@value
class ProvisionNote:
    """What an editor adds to a provision so that it can be found and understood."""

    id: str
    title: str
    summary: str
    facts: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    phrasings: tuple[str, ...] = ()


@value
class ProvisionNoteFile:
    notes: tuple[ProvisionNote, ...]


@value
class LawFile:
    laws: tuple[LawVersion, ...]


@value
class GistFile:
    """Law name (short names allowed) -> article -> what it says, in our own words."""

    gists: dict[str, dict[str, str]]


@value
class ExtractFile:
    """Written by ``suifawen kb extract``; what the truth checker needs of the official text."""

    articles: dict[str, dict[str, dict[str, str | list[str]]]] = field(default_factory=dict)


@value
class PlaceFile:
    """Places, and the offices in them."""

    places: tuple[Place, ...] = ()
    offices: tuple[Office, ...] = ()


@value
class WithdrawnFile:
    withdrawn: tuple[str, ...]


# -- loading -------------------------------------------------------------------


def load_knowledge(roots: Sequence[Path] = (SHIPPED,)) -> Knowledge:
    """Return the knowledge of ``roots``, later ones winning by id.

    Raises `KnowledgeError` with every mistake found in the files themselves; what
    concerns several entries together is found by `kb.check`.
    """
    loader = _Loader()
    for root in roots:
        loader.add_root(root)
    if loader.problems:
        raise KnowledgeError(loader.problems)
    return loader.knowledge()


class _Loader:
    """Collects values and problems over all files of all roots."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.topics: dict[str, Topic] = {}
        self.hotlines: dict[str, Hotline] = {}
        self.entries: dict[str, Entry] = {}
        self.documents: dict[str, Document] = {}
        self.provisions: dict[str, Provision] = {}
        self.laws: dict[str, LawVersion] = {}
        self.gists: dict[tuple[str, str], str] = {}
        self.extracts: dict[tuple[str, str], tuple[tuple[str, ...], str]] = {}
        self.places: dict[str, Place] = {}
        self.offices: dict[tuple[str, str, str], Office] = {}
        self.short: dict[str, str] = {}
        self.read: set[Path] = set()

    def add_root(self, root: Path) -> None:
        self._each(root, "topics.yaml", TopicFile, self._topics)
        self._each(root, "rules/hotlines.yaml", HotlineFile, self._hotlines)
        self._each(root, "laws/register.yaml", LawFile, self._laws)
        self._each(root, "laws/gists/*.yaml", GistFile, self._gists)
        self._each(root, "laws/extract.yaml", ExtractFile, self._extract)
        self._each(root, "places/*.yaml", PlaceFile, self._places)
        self._each(root, "sources/documents.yaml", DocumentFile, self._documents)
        self._each(root, "provisions/*.yaml", ProvisionFile, self._provisions, skip=".notes.yaml")
        self._each(root, "provisions/*.notes.yaml", ProvisionNoteFile, self._notes)
        seen: dict[str, str] = {}
        self._each(root, "services/*.yaml", ServiceFile, lambda f, s: self._services(f, s, seen))
        self._each(
            root, "situations/*.yaml", SituationFile, lambda f, s: self._situations(f, s, seen)
        )
        self._each(root, "withdrawn.yaml", WithdrawnFile, self._withdrawn)
        self._each(root, approval.FILE, approval.ApprovalFile, self._approvals)
        spoken = (path for pattern in PLAIN for path in root.glob(pattern))
        self.problems.extend(_misplaced(root, {*self.read, *spoken}))

    def knowledge(self) -> Knowledge:
        articles = {}
        for (law, number), gist in self.gists.items():
            quantities, digest = self.extracts.get((law, number), ((), ""))
            article = Article(
                law=law, article=number, gist=gist, quantities=quantities, digest=digest
            )
            articles[f"law/{law}/{number}"] = article
        return Knowledge(
            topics=self.topics,
            hotlines=self.hotlines,
            entries=self.entries,
            documents=self.documents,
            provisions=self.provisions,
            laws=self.laws,
            articles=articles,
            places=self.places,
            offices=tuple(self.offices.values()),
        )

    # -- one method for each kind of file --

    def _topics(self, file: YamlFile, shape: TopicFile) -> None:
        for id_, t in shape.topics.items():
            self.topics[id_] = Topic(id=id_, name=t.name, default=t.default)

    def _hotlines(self, file: YamlFile, shape: HotlineFile) -> None:
        for number, h in shape.hotlines.items():
            self.hotlines[number] = Hotline(
                number=number, name=h.name, purpose=h.purpose, not_for=h.not_for, dial=h.dial
            )

    def _laws(self, file: YamlFile, shape: LawFile) -> None:
        for law in shape.laws:
            self.laws[law.name] = law
            if law.short:
                self.short[law.short] = law.name

    def _gists(self, file: YamlFile, shape: GistFile) -> None:
        for law, articles in shape.gists.items():
            name = self.short.get(law, law)
            for number, gist in articles.items():
                canonical = parse_article(number)
                loc = ("gists", law, number)
                if canonical is None:
                    self.problems.append(file.problem(loc, f"“{number}”不是条号，请写成 第十条"))
                elif (name, canonical) in self.gists and self.gists[name, canonical] != gist:
                    message = f"《{name}》{canonical}的要点在别处已经写过，而且不一样。请留一个"
                    self.problems.append(file.problem(loc, message))
                else:
                    self.gists[name, canonical] = gist

    def _extract(self, file: YamlFile, shape: ExtractFile) -> None:
        for law, articles in shape.articles.items():
            for number, data in articles.items():
                quantities = data.get("quantities", [])
                self.extracts[law, number] = (tuple(quantities), str(data.get("digest", "")))

    def _places(self, file: YamlFile, shape: PlaceFile) -> None:
        self.places.update({place.id: place for place in shape.places})
        self.offices.update({(o.service, o.place, o.name): o for o in shape.offices})

    def _documents(self, file: YamlFile, shape: DocumentFile) -> None:
        self.documents.update({d.id: d for d in shape.documents})

    def _provisions(self, file: YamlFile, shape: ProvisionFile) -> None:
        self.provisions.update({p.id: p for p in shape.provisions})

    def _notes(self, file: YamlFile, shape: ProvisionNoteFile) -> None:
        for i, note in enumerate(shape.notes):
            provision = self.provisions.get(note.id)
            if provision is None:
                message = f"没有“{note.id}”这一条款。编号见 kb/provisions/"
                self.problems.append(file.problem(("notes", i, "id"), message))
                continue
            self.provisions[note.id] = replace(
                provision,
                title=note.title,
                summary=note.summary,
                facts=note.facts,
                services=note.services,
                phrasings=note.phrasings,
            )

    def _services(self, file: YamlFile, shape: ServiceFile, seen: dict[str, str]) -> None:
        for i, entry in enumerate(shape.services):
            self._entry(file, ("services", i), entry, shape, Kind.SERVICE, None, seen)

    def _situations(self, file: YamlFile, shape: SituationFile, seen: dict[str, str]) -> None:
        for i, entry in enumerate(shape.situations):
            loc = ("situations", i)
            self._entry(file, loc, entry, shape, Kind.SITUATION, shape.topic, seen)

    def _approvals(self, file: YamlFile, shape: approval.ApprovalFile) -> None:
        self.entries = approval.apply_approvals(self.entries, shape.approvals)

    def _withdrawn(self, file: YamlFile, shape: WithdrawnFile) -> None:
        for i, id_ in enumerate(shape.withdrawn):
            if self.entries.pop(id_, None) is None:
                message = f"要撤下的“{id_}”不存在。请检查编号"
                self.problems.append(file.problem(("withdrawn", i), message))

    def _entry(
        self,
        file: YamlFile,
        loc: tuple[str | int, ...],
        shape: EntryShape,
        defaults: ServiceFile | SituationFile,
        kind: Kind,
        topic: str | None,
        seen: dict[str, str],
    ) -> None:
        if shape.id in seen:
            message = f"编号“{shape.id}”在 {seen[shape.id]} 已经用过。每个条目的编号只能用一次"
            self.problems.append(file.problem((*loc, "id"), message))
            return
        seen[shape.id] = f"{file.name}:{file.line((*loc, 'id'))}"
        facets: dict[Facet, tuple[Statement, ...]] = {}
        for facet in Facet:
            lines: tuple[str, ...] = getattr(shape, facet.value)
            parsed = [
                s
                for i, line in enumerate(lines)
                if (s := self._statement(file, (*loc, facet.value, i), line))
            ]
            if parsed:
                facets[facet] = tuple(parsed)
        answer = self._statement(file, (*loc, "answer"), shape.answer)
        if answer is None:
            return
        self.entries[shape.id] = Entry(
            id=shape.id,
            kind=kind,
            title=shape.title,
            answer=answer,
            topic=topic or shape.topic,
            facets=facets,
            hotlines=shape.hotlines,
            services=shape.services,
            provisions=shape.provisions,
            must_mention=shape.must_mention,
            phrasings=shape.phrasings,
            handoff=shape.handoff,
            owner=shape.owner or defaults.owner,
            valid_from=shape.valid_from,
            valid_to=shape.valid_to,
            verified_on=shape.verified_on or defaults.verified_on,
            review_by=shape.review_by or defaults.review_by,
            approved_by=shape.approved_by,
            source=f"{file.name}:{file.line((*loc, 'id'))}",
        )

    def _statement(self, file: YamlFile, loc: tuple[str | int, ...], line: str) -> Statement | None:
        try:
            return parse_statement(line, self.short)
        except StatementError as error:
            self.problems.append(file.problem(loc, str(error)))
            return None

    def _each(
        self,
        root: Path,
        pattern: str,
        shape: type[T],
        add: Callable[[YamlFile, T], None],
        skip: str | None = None,
    ) -> None:
        for path in _files(root, pattern, skip):
            self.read.add(path)
            name = str(path.relative_to(root.parent))
            try:
                file = load_yaml(path, name)
                if file.data is not None:  # only comments
                    add(file, parse_file(file, shape))
            except KnowledgeError as error:
                self.problems.extend(error.problems)


def _misplaced(root: Path, read: Set[Path]) -> Iterator[Problem]:
    """Yield a problem for each YAML file that nothing reads: what is in it would be missed."""
    for path in sorted(root.rglob("*")):
        if path.suffix.lower() not in (".yaml", ".yml") or path in read:
            continue
        name = str(path.relative_to(root.parent))
        if path.suffix != ".yaml":
            yield Problem(name, 0, f"不会被读到：文件名要以 .yaml 结尾。请改名为 {path.stem}.yaml")
        else:
            yield Problem(
                name, 0, "不会被读到：放错了文件夹。事情放 situations/，服务放 services/，"
                "其他的见 kb/README.md",
            )  # fmt: skip


def _files(root: Path, pattern: str, skip: str | None) -> Iterator[Path]:
    for path in sorted(root.glob(pattern)):
        if skip is None or not path.name.endswith(skip):
            yield path


def short_names(laws: Mapping[str, LawVersion]) -> dict[str, str]:
    """Return short name -> full name for the laws that have one."""
    return {law.short: law.name for law in laws.values() if law.short}


PLAIN = ("wording/*.yaml", "rules/*.yaml", "operator.yaml")
"""What `load_files` gives as plain data."""


def load_files(roots: Sequence[Path] = (SHIPPED,)) -> dict[str, Any]:
    """Return the wording, the rules and the operator's file as plain data, by name.

    A later root replaces a whole file of an earlier one, but a file of wording or phrases only
    adds to and replaces single ones. Raises `KnowledgeError`.
    """
    files: dict[str, Any] = {}
    problems: list[Problem] = []
    for root in roots:
        paths = (path for pattern in PLAIN for path in root.glob(pattern))
        for path in sorted(p for p in paths if p.name != "hotlines.yaml"):
            name = str(path.relative_to(root).with_suffix(""))
            try:
                data = load_yaml(path, str(path.relative_to(root.parent))).data
            except KnowledgeError as error:
                problems.extend(error.problems)
                continue
            if data is None:  # only comments
                continue
            files[name] = laid_over(files.get(name), data)
    if problems:
        raise KnowledgeError(problems)
    return files


LISTS = ("wording", "phrases")
"""Keys of files that are a list of named things and nothing else."""


def laid_over(below: Any, above: Any) -> Any:
    """Return ``above``, with what only ``below`` names if both are a list of `LISTS`."""
    for key in LISTS:
        if _is_list(below, key) and _is_list(above, key):
            return {key: {**below[key], **above[key]}}
    return above


def _is_list(data: Any, key: str) -> bool:
    return isinstance(data, dict) and set(data) == {key} and isinstance(data[key], dict)
