from django.conf import settings
from django.urls import include, path

urlpatterns = [path("api/", include("api.urls"))] if settings.APP == "api" else [path("", include("public.urls"))]
