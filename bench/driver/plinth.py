"""Plinth as it is served to people, and the callers of it."""

import json
import re

from . import box

# Every limit is on, and none is met: refusing is cheaper than answering and would flatter the figures.
GENEROUS = 1_000_000_000
ENVIRONMENT = {
    "PLINTH_LIMITS__TENANT_PER_MINUTE": str(GENEROUS),
    "PLINTH_LIMITS__TENANT_WRITES_PER_MINUTE": str(GENEROUS),
    "PLINTH_LIMITS__CALLER_PER_MINUTE": str(GENEROUS),
    "PLINTH_LIMITS__ADDRESS_PER_MINUTE": str(GENEROUS),
    "PLINTH_LIMITS__PAGES_PER_MINUTE": str(GENEROUS),
    "PLINTH_SERVER__CONNECTIONS_PER_IP_MAX": "4096",
}

READ = "/v1/me"
SUBMISSION = {
    "values": {
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "topic": "consulting",
        "message": "Could you look at how our outbox drains when a consumer is slow? We see gaps in the order of events.",
    }
}
FORM = {
    "name": "Bench",
    "definition": {
        "lang": 1,
        "default_locale": "en",
        "title": {"en": "Bench"},
        "pages": [{"id": "pg_1", "items": [
            {"id": "fl_name", "key": "name", "type": "text", "required": True, "max_length": 120, "label": {"en": "Name"}},
            {"id": "fl_email", "key": "email", "type": "email", "required": True, "label": {"en": "E-mail"}},
            {"id": "fl_topic", "key": "topic", "type": "choice", "required": True, "label": {"en": "Topic"},
             "choices": [{"id": "ch_1", "key": "consulting", "label": {"en": "Consulting"}},
                         {"id": "ch_2", "key": "other", "label": {"en": "Other"}}]},
            {"id": "fl_message", "key": "message", "type": "long_text", "required": True, "label": {"en": "Message"}},
        ]}],
    },
}


class Installation:
    """A data folder with a key and a published form."""

    def __init__(self, name="plinth"):
        self.data = box.fresh(name)
        self.program = box.RELEASE / "plinth"
        out = box.run([self.program, "key", "create", "--data", self.data, "--name", "bench"],
                      cwd=self.data)
        self.key = re.search(r"\S+", out)[0]
        self.headers = [f"Authorization: Bearer {self.key}"]
        with self.serve() as server:
            server.wait("/readyz")
            self.submissions = self.publish_form(server)
            status, self.answer = server.get(READ, self.headers)
            if status != 200:
                raise SystemExit(f"GET {READ} answered {status}: {self.answer[:500]}")
        self.document = box.WORK / "read.json"
        self.document.write_bytes(self.answer)
        self.body = box.WORK / "submission.json"
        self.body.write_text(json.dumps(SUBMISSION))

    def serve(self, core=box.SERVER_CORE):
        port = box.free_port()
        argv = [self.program, "serve", "--data", self.data, "--listen", f"127.0.0.1:{port}"]
        return box.Server(argv, port, core=core, env=ENVIRONMENT, log="plinth", cwd=self.data)

    def publish_form(self, server):
        """Creates the form of the write; where answers to it are posted."""

        def post(path, body, key, *more):
            headers = [*self.headers, f"Idempotency-Key: {key}", *more]
            status, answer = server.ask("POST", path, headers, json.dumps(body))
            if status not in (200, 201):
                raise SystemExit(f"POST {path} answered {status}: {answer[:1000]}")
            return json.loads(answer)

        form = post("/v1/forms", FORM, "bench-form")["id"]
        post(f"/v1/forms/{form}/publish", {}, "bench-publish", "If-Match: *")
        return f"/v1/forms/{form}/submissions"
