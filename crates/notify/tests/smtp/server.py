"""A real SMTP server for tests (aiosmtpd): STARTTLS, and answers that depend on the receiver.

Prints "PORT <port>" once it listens, then one JSON line for each accepted message. Ends when its standard input does.
Usage: server.py CERT KEY [--no-tls]
"""
import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP

refused_once = set()


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone@"):
            return "550 5.1.1 No such mailbox"
        if address.startswith("busy@") and address not in refused_once:
            refused_once.add(address)
            return "451 4.3.0 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = {
            "tls": session.ssl is not None,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "data": envelope.content.decode("utf-8", "replace"),
        }
        print(json.dumps(message), flush=True)
        return "250 OK"


async def main():
    context = None
    if "--no-tls" not in sys.argv:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Handler(), tls_context=context, require_starttls=context is not None, loop=loop),
        "127.0.0.1",
        0,
    )
    print("PORT", server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(main())
