"""Site: the pages around the reports, from the first one to the search.

All are written anew from the record that lies beside each report, and from the catalogue. They link one another by
relative addresses, so that the folder can be moved, copied or put on a web server as it is.
"""

from councilbook.pages.site.building import build_site

__all__ = ["build_site"]
