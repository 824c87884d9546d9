import socket

from django.http import HttpResponse
from django.urls import path

PAGE = """<!doctype html><html lang="en"><title>A site on timonier</title>
<h1>A site on timonier</h1><p id="front">served by {host}</p><p>visits: <output id="visits">…</output></p>
<script>fetch("/api/visits", {{ method: "POST" }}).then(a => a.json()).then(v => {{ document.getElementById("visits").value = v.visits; }});</script></html>"""


def front(request):
    return HttpResponse(PAGE.format(host=socket.gethostname()))


def healthy(request):
    return HttpResponse("ok")


urlpatterns = [path("", front), path("healthz", healthy)]
