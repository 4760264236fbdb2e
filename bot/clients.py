"""Where a request comes from, seen through our own proxies. Shared by channels and the desk."""

from __future__ import annotations

from aiohttp import web


def client_address(request: web.Request, proxies: int) -> str | None:
    """Return the network address of the client behind ``proxies`` proxies of ours.

    Each proxy appends the address it saw to X-Forwarded-For; what stands further left was
    written by the client and is not believed.
    """
    if proxies == 0:
        return request.remote
    hops = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
    return hops[-proxies].strip() if len(hops) >= proxies else request.remote
