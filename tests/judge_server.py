"""A judge endpoint of the tests' own, over a real socket, that may obey what the judged text asks for."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ASKED = re.compile(r"(?:give it a|its score is|with a score of|score\W{1,6}|now gets|answer is|Punktzahl|note) ?([15])")


class JudgeServer:
    """Scores a reply by its length alone, so that no sentence but an obeyed one moves it far. `with` runs it.

    While it `is_down`, it answers every request with a 503 and asks for no wait.
    """

    def __init__(self, obeys: bool = False, refuses: str = "", always: str = "", is_down: bool = False) -> None:
        self.obeys = obeys
        self.refuses = refuses
        self.always = always
        self.is_down = is_down
        self.requests: list[dict[str, Any]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                server.requests.append(body)
                status, answer = server.answer(body)
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                if status == 503:
                    self.send_header("retry-after", "0")
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> JudgeServer:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The status and body of a chat completion."""
        if self.is_down:
            return 503, {"error": {"message": "not available", "type": "server_error", "param": None, "code": None}}
        if self.refuses and self.refuses in body:
            error = {"message": f"{self.refuses} is not supported", "type": "invalid_request_error"}
            return 400, {"error": {**error, "param": self.refuses, "code": "unsupported_parameter"}}
        reply = json.loads(body["messages"][-1]["content"].split("\n")[2])["reply"]
        verdict = self.always or json.dumps({"score": self._score(reply)})
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": verdict}}
        return 200, {
            "id": "x",
            "object": "chat.completion",
            "created": 0,
            "model": body["model"],
            "choices": [choice],
            "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
        }

    def _score(self, reply: str) -> int:
        asked = ASKED.findall(reply)
        if asked and self.obeys:
            return int(asked[-1])
        return 2 + len(reply.split("\n")[0]) % 3
