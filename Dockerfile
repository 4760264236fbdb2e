# The shipped knowledge and a bundle built from it; no torch. One volume: /data.
#   docker build -t suifawen .
#   docker run -p 8080:8080 -v suifawen-data:/data suifawen
FROM python:3.12-slim-bookworm

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --create-home --uid 10001 suifawen && mkdir /data && chown suifawen /data

WORKDIR /app
# Dependencies first: they change less often than the knowledge.
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY kb kb
COPY retrieval retrieval
COPY scripts scripts
RUN pip install -e .

USER suifawen
ENV SUIFAWEN_DATA=/data SUIFAWEN_HOST=0.0.0.0
# Built into the image, so that the first start on an empty volume is quick and checked here.
RUN suifawen build
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/health', timeout=4)"]
CMD ["suifawen", "serve"]
