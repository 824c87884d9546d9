import socket

from django.http import HttpResponse, JsonResponse
from django.urls import path

from api.models import Visit


def visits(request):
    if request.method == "POST":
        Visit.objects.create(by=socket.gethostname())
    return JsonResponse({"visits": Visit.objects.count(), "served_by": socket.gethostname()})


def healthy(request):
    return HttpResponse("ok")


urlpatterns = [path("visits", visits), path("healthz", healthy)]
