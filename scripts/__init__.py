"""One file for each verb of the command ``suifawen``; see `scripts.__main__`."""

import retrieval  # noqa: F401  # sets the threads of BLAS before any verb loads numpy
