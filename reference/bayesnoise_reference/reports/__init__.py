"""What a run of claims found, in the forms that people and programs read.

JSON is the master: `read` it, and make the others from what it gives.
"""

from bayesnoise_reference.reports.document import from_json, read, to_json, write
from bayesnoise_reference.reports.junit import junit
from bayesnoise_reference.reports.markdown import markdown
from bayesnoise_reference.reports.page import page
from bayesnoise_reference.reports.text import text

__all__ = ["from_json", "junit", "markdown", "page", "read", "text", "to_json", "write"]
