"""The synthesized templates of a stage, with the questions that tests ask of them."""

import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from infra.app import add_stage, new_app
from infra.bundling import SourceBundler
from infra.config import StageConfig, stage_config

Properties = dict[str, Any]
FUNCTION = "AWS::Lambda::Function"
MAPPING = "AWS::Lambda::EventSourceMapping"
QUEUE = "AWS::SQS::Queue"


@dataclass(frozen=True)
class Statement:
    """An IAM statement with its resources as flat text."""

    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]


@dataclass(frozen=True)
class StageTemplates:
    """Both stacks of a stage, as CloudFormation will get them."""

    stage: StageConfig
    data: dict[str, Any]
    service: dict[str, Any]

    def resources(self, *types: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Logical id and whole resource of every resource of the types, in both stacks."""
        for template in (self.data, self.service):
            for logical_id, resource in template["Resources"].items():
                if resource["Type"] in types:
                    yield logical_id, resource

    def of_type(self, type_: str) -> dict[str, Properties]:
        """The properties of every resource of the type, by logical id."""
        return {id_: resource.get("Properties", {}) for id_, resource in self.resources(type_)}

    def functions(self) -> dict[str, Properties]:
        """The properties of every function of ours, by the name of its folder."""
        prefix = self.stage.resource_name("")
        named = {p.get("FunctionName", ""): p for p in self.of_type(FUNCTION).values()}
        assert all(name.startswith(prefix) for name in named), "every function is ours"
        return {name.removeprefix(prefix): found for name, found in named.items()}

    def function_of(self, reference: Any) -> str:
        """The folder's name of the function that a `Ref` or `Fn::GetAtt` points to."""
        return self._short_name(FUNCTION, "FunctionName", reference)

    def queue_of(self, reference: Any) -> str:
        """The short name of the queue that a `Ref` or `Fn::GetAtt` points to."""
        return self._short_name(QUEUE, "QueueName", reference)

    def queues(self) -> dict[str, Properties]:
        """The properties of every queue, by its short name."""
        prefix = self.stage.resource_name("")
        return {p["QueueName"].removeprefix(prefix): p for p in self.of_type(QUEUE).values()}

    def statements(self, function: str) -> list[Statement]:
        """Every statement of the function's role."""
        role = logical_id(self.functions()[function]["Role"])
        return [
            self._statement(statement)
            for policy in self.of_type("AWS::IAM::Policy").values()
            if role in [logical_id(reference) for reference in policy["Roles"]]
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    def _statement(self, statement: dict[str, Any]) -> Statement:
        return Statement(
            effect=statement["Effect"],
            actions=tuple(as_list(statement["Action"])),
            resources=tuple(self.flat(item) for item in as_list(statement["Resource"])),
        )

    def _short_name(self, type_: str, property_: str, reference: Any) -> str:
        name: str = self.of_type(type_)[logical_id(reference)][property_]
        return name.removeprefix(self.stage.resource_name(""))

    def flat(self, value: Any) -> str:
        """A value as text: exported and local references become `<ConstructId.Attribute>`."""
        match value:
            case str():
                return value
            case {"Fn::Join": [separator, parts]}:
                return str(separator).join(self.flat(part) for part in parts)
            case {"Fn::ImportValue": name}:
                exported = {
                    o["Export"]["Name"]: o["Value"]
                    for o in self.data["Outputs"].values()
                    if "Export" in o
                }
                return self.flat(exported[name])
            case {"Fn::GetAtt": [id_, attribute]}:
                return f"<{self._readable(id_)}.{attribute}>"
            case {"Ref": id_}:
                return f"<{self._readable(id_)}>"
            case _:
                return json.dumps(value)

    def _readable(self, id_: str) -> str:
        """The physical name where the template gives one, else the logical id."""
        prefix = self.stage.resource_name("")
        for template in (self.data, self.service):
            properties = template["Resources"].get(id_, {}).get("Properties", {})
            for property_ in ("QueueName", "FunctionName", "TableName", "LogGroupName"):
                name = properties.get(property_)
                if isinstance(name, str):
                    return name.rpartition("/")[2].removeprefix(prefix)
        return re.sub(r"[0-9A-F]{8}$", "", id_)


@cache
def synthesize(stage_name: str) -> StageTemplates:
    """Synthesize a stage, cdk-nag included: an open finding raises.

    Bundles nothing, so that it takes seconds.
    """
    stage = stage_config(stage_name)
    with tempfile.TemporaryDirectory() as folder:
        app = new_app(Path(folder))
        data, service = add_stage(app, stage, SourceBundler())
        app.synth()
        return StageTemplates(
            stage=stage,
            data=_read(folder, data.stack_name),
            service=_read(folder, service.stack_name),
        )


def logical_id(reference: Any) -> str:
    """The logical id that a `Ref` or `Fn::GetAtt` points to."""
    match reference:
        case {"Ref": id_}:
            return str(id_)
        case {"Fn::GetAtt": [id_, _]}:
            return str(id_)
        case _:
            raise AssertionError(f"not a reference: {reference}")


def as_list(value: Any) -> list[Any]:
    """IAM writes a list of one as the thing itself."""
    return value if isinstance(value, list) else [value]


def _read(folder: str, stack: str) -> dict[str, Any]:
    template: dict[str, Any] = json.loads((Path(folder) / f"{stack}.template.json").read_text())
    return template
