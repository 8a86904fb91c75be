"""Files: how is a source's file read, in one piece or in many, as text, workbook or outlines."""
