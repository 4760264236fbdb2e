"""From a question to ranked, explained hits.

Knows nothing of chats or tickets; imports only `kb`.
"""

import os

# Before numpy is loaded: matrices here are small, and a second thread of BLAS would only spin
# (training took eight times the processor time on two cores). Requests are what runs in parallel.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
