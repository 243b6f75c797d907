"""`emaudit init`: a commented emaudit.toml to start from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context
from emaudit.cli.output import emit, say
from emaudit.errors import UsageError

TEMPLATE: Final = """\
# emaudit settings. Lines that begin with # are examples: take the # away to use them.
# Keys never stand here: api_key_env names the environment variable that holds one.

# [endpoints.cluster]                      # vLLM or any OpenAI-compatible server; no api_key_env: no key is sent
# base_url = "http://127.0.0.1:8000/v1"
# insecure_http = false                    # true allows plain http beyond this machine
# max_concurrency = 64                     # requests in flight; emaudit finds what the endpoint bears below this
# max_n = 10                               # samples asked for with one request
# timeout_s = 120
# temperature = 1.0
# top_p = 1.0
# system = ""                              # a system prompt; none by default
# extra_body = { top_k = -1, repetition_penalty = 1.0 }
# max_tokens = { harmfulness = 1024 }      # caps on the length of a reply, per assessment

# [endpoints.openai]
# base_url = "https://api.openai.com/v1"
# api_key_env = "OPENAI_API_KEY"

# The judge of harmfulness and of whatever the parsers cannot decide.
# [judge]
# model = "a-strong-chat-model"
# endpoint = "openai"                      # else the variant's own endpoint

# Other judges, used with --judge NAME.
# [judges.strict]
# model = "another-model"
# endpoint = "openai"
# rubric = "my-harm-rubric.toml"           # beside this file
# params = { temperature = 0 }

# Price per million tokens; without it a price is unknown.
# [prices."a-strong-chat-model"]
# input = 2.0
# output = 8.0

# [reviewer]
# name = "your name"
"""


def register(verbs: Verbs) -> None:
    """Add `init`."""
    verbs.add("init", "write a commented emaudit.toml", _init)


def _init(context: Context) -> int:
    named = context.named_config or (context.config_path if os.environ.get("EMAUDIT_CONFIG") else None)
    path = named or Path("emaudit.toml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except FileExistsError:
        raise UsageError(f"{path} exists: edit it, or name another file with --config") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    emit(str(path))
    say("edit it, then `emaudit doctor` checks it")
    return 0
