#!/usr/bin/env python3
"""The corpus of schemas/examples against the JSON Schemas, with an independent validator.

Whatever a schema can express must agree with the codecs, which test_corpus.c holds against the same
files. What it cannot express is listed here by name, and the list is checked: an example on it that
a schema does refuse is an error too. Needs the Python package jsonschema (tests/support/setup).
"""
import json
import pathlib
import re
import subprocess
import sys

import jsonschema
import referencing

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "schemas"
EXAMPLES = SCHEMAS / "examples"

# Faults of the text before there is JSON to look at.
TEXT_CODES = {"invalid_json", "not_utf8", "duplicate_key"}

# Faults that need arithmetic, another member's value, the meaning of a cron text or the daemon's
# configuration.
NOT_EXPRESSIBLE = {
    "bad_cron/command-day-32",
    "bad_cron/command-eight-fields",
    "bad_cron/command-four-fields",
    "bad_cron/command-hour-24",
    "bad_cron/command-minute",
    "bad_cron/command-month-name",
    "bad_cron/command-seconds-with-five-fields",
    "bad_cron/command-set",
    "bad_cron/command-quartz-without-question",
    "bad_cron/command-step-zero",
    "bad_cron/command-zone-contradicts",
    "bad_cron/command-unknown-nickname",
    "bad_report/report-key-twice",
    "bad_report/report-key-twice-in-result",
    "bad_report/report-lone-surrogate",
    "bad_report/report-nul-escape",
    "bad_report/report-result-large",
    "bad_report/report-result-too-deep",
    "bad_report/report-retry-after-25h",
    "bad_report/report-runnumber-exponent",
    "bad_report/report-runnumber-text-too-large",
    "bad_report/tick-long",
    "bad_time/command-no-such-day",
    "bad_value/command-backfill-backwards",
    "bad_value/command-end-before-start",
    "bad_value/command-every-too-short",
    "bad_value/command-every-zero",
    "bad_value/command-job-twice",
    "bad_value/command-jitter-too-long",
    "bad_value/command-set-end-before-start",
    "bad_value/job-backfill-backwards",
    "bad_value/job-created-at",
    "bad_value/job-owed-backwards",
    "bad_value/job-state-does-not-fit",
    "bad_value/command-requeue-run-too-large",
    "bad_value/command-runs-lease-too-long",
    "bad_value/command-runs-lease-too-short",
    "bad_value/command-runs-lease-zero",
    "bad_value/command-runs-overlap-limit-of-skip",
    "bad_value/command-runs-retry-exit-without-failure",
    "bad_value/command-runs-retry-factor-three-decimals",
    "bad_value/command-runs-retry-initial-too-long",
    "bad_value/command-runs-retry-initial-too-short",
    "bad_value/command-runs-retry-max-before-initial",
    "bad_value/command-runs-retry-within-before-initial",
    "bad_value/command-runs-retry-within-too-long",
    "bad_value/command-runs-start-within-fixed",
    "bad_value/command-runs-start-within-too-long",
    "bad_value/command-runs-start-within-too-short",
    "bad_value/mark-runs-again-behind",
    "bad_value/run-lease-25h",
    "bad_value/run-lease-zero",
    "bad_value/run-open-counts-none",
    "bad_value/run-runnumber-goes-back",
    "bad_value/run-try-runnumber-goes-back",
    "bad_value/run-second-try-of-nothing",
    "bad_value/run-try-beyond-counted",
    "bad_value/run-waiting-counts-all",
    "bad_value/run-waiting-for-nothing",
    "count_mismatch/command-add",
    "count_mismatch/command-put",
    "lease_required/command-runs-none-retry",
    "lease_required/command-runs-none-start-within",
    "lease_required/command-runs-pause-after-failures",
    "lease_required/command-runs-retry",
    "lease_required/command-runs-start-within",
    "lease_required/command-runs-workers",
    "lease_required/job-runs-without-lease",
    "lease_required/structured-runs-retry",
    "missing_field/job-runs-without-workers",
    "never_fires/command-april-31",
    "never_fires/command-february-30",
    "never_fires/command-nearest-weekday-sunday",
    "not_supported/command-overlap-cancel",
    "not_supported/command-runs-fixed",
    "not_supported/command-runs-lease",
    "not_supported/command-runs-mode-none",
    "not_supported/command-runs-pause-after-failures",
    "not_supported/command-runs-retry",
    "not_supported/command-runs-set-overlap",
    "not_supported/command-runs-set-retry",
    "nothing_to_update/command-runs-empty-retry",
    "reply_to_not_allowed/command-not-listed",
    "reply_to_not_allowed/command-own-control",
    "too_deep/command-payload",
    "topic_not_allowed/command-not-listed",
    "unknown_zone/command-no-such-zone",
    "unknown_zone/command-prefix",
    "topic_not_allowed/command-own-state",
}

# Structured CloudEvents: the envelope is checked here, its data by the schema of commands.
ENVELOPE = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1},
        "type": {"type": "string", "minLength": 1},
        "data": {"$ref": "command.schema.json"},
    },
}

BY_PREFIX = {
    "command": {"$ref": "command.schema.json"},
    "binary": {"$ref": "command.schema.json"},
    "structured": ENVELOPE,
    "job": {"$ref": "state.schema.json#/$defs/job"},
    "mark": {"$ref": "state.schema.json#/$defs/mark"},
    "seen": {"$ref": "state.schema.json#/$defs/seen"},
    "run": {"anyOf": [{"$ref": "state.schema.json#/$defs/run"},
                      {"$ref": "state.schema.json#/$defs/free"}]},
    "report": {"$ref": "report.schema.json"},
    "tick": {"$ref": "report.schema.json"},
    "cancel": {"$ref": "cancel.schema.json"},
    "failedrun": {"$ref": "failedrun.schema.json"},
    "acknowledgement": {"$ref": "acknowledgement.schema.json"},
    "fire": {"$ref": "fire.schema.json"},
    "result": {"$ref": "result.schema.json"},
    "event": {"$ref": "event.schema.json"},
}


def load_schemas():
    """All schemas as one registry, each checked against the meta-schema of 2020-12."""
    resources = []
    for path in sorted(SCHEMAS.glob("*.schema.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["$id"] == path.name, path
        resources.append((path.name, referencing.Resource.from_contents(schema)))
    assert len(resources) == 10, [name for name, _ in resources]
    return referencing.Registry().with_resources(resources)


def validator_for(name, registry):
    prefix = name.split("-", 1)[0]
    return jsonschema.Draft202012Validator(BY_PREFIX[prefix], registry=registry)


def check_valid(registry, faults):
    count = 0
    for path in sorted(EXAMPLES.glob("valid/*.json")):
        count += 1
        value = json.loads(path.read_bytes())
        for error in validator_for(path.stem, registry).iter_errors(value):
            faults.append(f"{path}: refused: {error.json_path}: {error.message[:200]}")
    return count


def check_invalid(registry, faults):
    count = 0
    seen = set()
    for path in sorted(EXAMPLES.glob("invalid/*/*.json")):
        count += 1
        code = path.parent.name
        if code in TEXT_CODES:
            continue
        name = f"{code}/{path.stem}"
        try:
            value = json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            continue
        accepted = validator_for(path.stem, registry).is_valid(value)
        if name in NOT_EXPRESSIBLE:
            seen.add(name)
            if not accepted:
                faults.append(f"{name}: a schema refuses it: take it off the list")
        elif accepted:
            faults.append(f"{path}: accepted, the codec says {code}")
    for name in sorted(NOT_EXPRESSIBLE - seen):
        faults.append(f"{name}: is on the list, but there is no such example")
    return count


# Steps of stories that a schema cannot know to be wrong: outcome and code of the daemon alone.
STATE_CODES = {"never_fires", "bad_value", "topic_not_allowed", "count_mismatch"}


def check_stories(registry, faults):
    """A command of a story fits the schema exactly when the daemon can read all of it."""
    validator = jsonschema.Draft202012Validator(BY_PREFIX["command"], registry=registry)
    count = 0
    for path in sorted(EXAMPLES.glob("stories/*.json")):
        for number, step in enumerate(json.loads(path.read_bytes()), 1):
            count += 1
            fits = validator.is_valid(step["command"])
            reads = step["outcome"] not in ("rejected", "partial")
            if reads and not fits:
                faults.append(f"{path}: step {number}: a schema refuses it")
            if step["outcome"] == "rejected" and fits and step["code"] not in STATE_CODES:
                faults.append(f"{path}: step {number}: accepted, the daemon says {step['code']}")
    return count


def check_asyncapi(faults):
    """Without a YAML parser: every file it refers to exists, every schema is referred to."""
    text = (SCHEMAS / "asyncapi.yaml").read_text(encoding="utf-8")
    named = set(re.findall(r"\./([a-z]+\.schema\.json)", text))
    for path in SCHEMAS.glob("*.schema.json"):
        if path.name not in named | {"job.schema.json"}:
            faults.append(f"asyncapi.yaml does not mention {path.name}")
    for name in named:
        if not (SCHEMAS / name).exists():
            faults.append(f"asyncapi.yaml names {name}, which does not exist")


def check_reference(faults):
    """The generated page says what the schemas say."""
    check = [sys.executable, str(ROOT / "tests" / "support" / "reference"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        faults.append(done.stdout.strip() or done.stderr.strip())


def words_of(header, table):
    """The words of a table of rows in a header, in order."""
    text = (ROOT / header).read_text()
    rows = re.search(rf"#define {table}\(row\)(.*?[^\\])\n", text, re.DOTALL).group(1)
    return re.findall(r"row\(\w+, \"(\w+)\"", rows)


def check_words(faults):
    """The words of the programs' tables are those of the schemas."""
    schemas = {kind: json.loads((SCHEMAS / f"{kind}.schema.json").read_text())["properties"]
               for kind in ("result", "event", "fire")}
    result = schemas["result"]
    job = json.loads((SCHEMAS / "job.schema.json").read_text())
    tables = [("lib/model/command_op.h", "COMMAND_OPS", result["op"]["enum"]),
              ("lib/model/output.h", "OUTCOMES", result["outcome"]["enum"]),
              ("lib/model/output.h", "EVENT_KINDS", schemas["event"]["event"]["enum"]),
              ("lib/model/output.h", "FIRE_KINDS", schemas["fire"]["firekind"]["enum"])]
    for fields in (job["properties"], job["$defs"]["set"]["properties"]):
        tables += [("lib/model/run.h", "OVERLAPS", fields["overlap"]["enum"][:-1]),  # and null
                   ("lib/model/run.h", "LEASE_MODES", fields["lease_mode"]["enum"][:-1])]
    for header, table, enum in tables:
        if sorted(words_of(header, table)) != sorted(enum):
            faults.append(f"{table} of {header} and its schema differ")
    codes = words_of("lib/base/error_code.h", "ERROR_CODES")
    codes = codes[:codes.index("interrupted") + 1]  # then warnings, and our own parts' codes
    for place in (result, result["errors"]["items"]["properties"],
                  result["warnings"]["items"]["properties"]):
        said = place["code"]["description"].split(": ")[1].rstrip(".").split(" ")
        if said != codes:
            faults.append("ERROR_CODES of lib/base/error_code.h and result.schema.json differ")


def main():
    registry = load_schemas()
    faults = []
    valid = check_valid(registry, faults)
    invalid = check_invalid(registry, faults)
    steps = check_stories(registry, faults)
    check_asyncapi(faults)
    check_reference(faults)
    check_words(faults)
    for fault in faults:
        print(f"FAIL {fault}")
    print(f"test_schemas: {valid} valid and {invalid} invalid examples, {steps} steps of stories, "
          f"{len(faults)} faults")
    assert valid + invalid >= 350 and steps >= 100
    return 1 if faults else 0


def test_schemas():
    """For pytest and the integration runner."""
    assert main() == 0


if __name__ == "__main__":
    sys.exit(main())
