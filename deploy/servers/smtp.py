"""Two mail servers for tests: one encrypts on request, one from the start. Both want a password, and keep what they take.

python smtp.py PORT PORT FOLDER: FOLDER has `key.pem` and `cert.pem`; mail goes to `mail/NUMBER.eml`, with who it is for in
`X-Rcpt`. An address that begins with `no` is refused.
"""

import asyncio
import itertools
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Keeper:
    """Keeps each message in a file of its own."""

    def __init__(self, folder):
        self.folder, self.numbers = folder, itertools.count(1)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("no"):
            return "550 there is nobody like that"
        envelope.rcpt_tos.append(address)
        return "250 good"

    async def handle_DATA(self, server, session, envelope):
        file = self.folder / f"{next(self.numbers)}.eml"
        head = f"X-Rcpt: {','.join(envelope.rcpt_tos)}\r\nX-Encrypted: {session.ssl is not None}\r\n"
        part = file.with_suffix(".part")
        part.write_bytes(head.encode() + envelope.content)
        part.rename(file)
        return "250 taken"


def signed_in(server, session, envelope, mechanism, data):
    # Not handled: the server itself says that it is wrong.
    return AuthResult(success=(data.login, data.password) == (b"etl", b"secret@word"), handled=False)


async def main():
    turns, encrypted, folder = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    keeper, loop = Keeper(folder / "mail"), asyncio.get_running_loop()
    common = {"authenticator": signed_in, "auth_required": True, "loop": loop}
    await loop.create_server(lambda: SMTP(keeper, tls_context=context, require_starttls=True, **common), "127.0.0.1", turns)
    # What lies below encrypts already.
    inner = lambda: SMTP(keeper, auth_require_tls=False, **common)
    await loop.create_server(inner, "127.0.0.1", encrypted, ssl=context)
    (folder / "ready").touch()
    await asyncio.Event().wait()


asyncio.run(main())
