"""Read one YAML file of the knowledge base so that every mistake can be shown with its line.

Nothing is guessed: a key that stands twice, a key nobody knows and a value of the
wrong kind are problems, each with a Chinese sentence that tells the editor what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")
Loc = tuple[str | int, ...]

try:
    _Loader: Any = yaml.CSafeLoader
except AttributeError:  # PyYAML built without libyaml: slower, same result
    _Loader = yaml.SafeLoader


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something an editor has to mend. ``line`` counts from 1; 0 means the whole file."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}：{self.message}"


class KnowledgeError(Exception):
    """The knowledge base cannot be used as it stands. ``problems`` says where and what to do."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        shown = "\n".join(f"  {p}" for p in self.problems[:50])
        more = len(self.problems) - 50
        tail = f"\n  ……另有 {more} 处" if more > 0 else ""
        super().__init__(f"知识库有 {len(self.problems)} 处要改：\n{shown}{tail}")


@dataclass(frozen=True, slots=True)
class YamlFile:
    """The data of one file and the line of each path into it."""

    name: str
    data: Any
    lines: dict[Loc, int]

    def line(self, loc: Loc) -> int:
        """Return the line of ``loc``, or of its nearest parent that is in the file."""
        while loc and loc not in self.lines:
            loc = loc[:-1]
        return self.lines.get(loc, 0)

    def problem(self, loc: Loc, message: str) -> Problem:
        return Problem(self.name, self.line(loc), message)


def load_yaml(path: Path, name: str) -> YamlFile:
    """Return the file at ``path``, called ``name`` in messages. Raises `KnowledgeError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise KnowledgeError(
            [Problem(name, 0, f"不是 UTF-8 编码（第 {error.start} 个字节）。请用 UTF-8 另存一次")]
        ) from error
    except OSError as error:
        raise KnowledgeError([Problem(name, 0, f"打不开：{error.strerror}")]) from error
    lines: dict[Loc, int] = {}
    problems: list[Problem] = []
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            data = _construct(loader, node, (), lines, problems, name) if node else None
        finally:
            loader.dispose()
    except RecursionError as error:
        raise KnowledgeError(
            [Problem(name, 0, "里面有指向自己的 & 和 *。请写成平常的列表")]
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        raise KnowledgeError(
            [
                Problem(
                    name,
                    line,
                    "这里的格式读不懂。常见原因：缩进不齐、冒号后面没有空格、"
                    f"引号没有成对（{getattr(error, 'problem', error)}）",
                )
            ]
        ) from error
    if problems:
        raise KnowledgeError(problems)
    return YamlFile(name, data, lines)


def _construct(
    loader: Any, node: Any, loc: Loc, lines: dict[Loc, int], problems: list[Problem], name: str
) -> Any:
    lines.setdefault(loc, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        out: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                key = str(key)
            if key in out:
                problems.append(Problem(name, line, f"“{key}”写了两次。请留一个"))
            lines[(*loc, key)] = line
            out[key] = _construct(loader, value_node, (*loc, key), lines, problems, name)
        return out
    if isinstance(node, yaml.SequenceNode):
        return [
            _construct(loader, item, (*loc, i), lines, problems, name)
            for i, item in enumerate(node.value)
        ]
    try:
        return loader.construct_object(node, deep=True)
    except ValueError:  # looks like a date or a number and is none: 2027-13-44
        line = node.start_mark.line + 1
        problems.append(Problem(name, line, f"“{node.value}”不是日期也不是数字。请改对"))
        return None


def parse_file(file: YamlFile, shape: type[T]) -> T:
    """Return ``file`` as a ``shape``. Raises `KnowledgeError` with a line for every mistake."""
    try:
        return TypeAdapter(shape).validate_python(file.data)
    except ValidationError as error:
        raise KnowledgeError(
            [file.problem(tuple(e["loc"]), explain(e)) for e in error.errors()]
        ) from error


def explain(error: Any) -> str:
    """Return a sentence in Chinese for one pydantic error that says what to do."""
    loc = [part for part in error["loc"] if isinstance(part, str)]
    key = loc[-1] if loc else "内容"
    match error["type"]:
        case "missing" | "missing_keyword_only_argument":
            return f"缺少“{key}”。请补上这一项"
        case "extra_forbidden" | "unexpected_keyword_argument":
            return f"不认识“{key}”。请检查是不是写错了，可用的项目见说明书"
        case "string_type" | "string_too_short":
            return f"“{key}”应当是一句文字。如果里面有冒号或井号，请用引号括起来"
        case "list_type" | "tuple_type":
            return f"“{key}”应当是一个列表，每行以“- ”开头"
        case "date_type" | "date_from_datetime_parsing" | "date_parsing":
            return f"“{key}”应当是日期，写成 2026-11-24 这样"
        case "enum" | "literal_error":
            return f"“{key}”的值“{error['input']}”不在可选范围：{error['ctx']['expected']}"
        case "string_pattern_mismatch":
            return f"“{key}”的写法不对：{error['input']}"
        case "float_type" | "float_parsing" | "int_type" | "int_parsing" | "int_from_float":
            return f"“{key}”应当是一个数字"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal" as name:
            (limit,) = error["ctx"].values()
            bound = "大于" if name.startswith("greater") else "小于"
            also = "或者等于" if name.endswith("equal") else ""
            return f"“{key}”的值 {error['input']} 不行，应当{bound}{also} {limit}"
        case _:
            return f"“{key}”不对：{error['msg']}"
