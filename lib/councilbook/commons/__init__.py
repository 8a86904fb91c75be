"""Commons: what joins the studies, so that the next council and the next study start from it."""
