"""What strangers bring: archives and folders, which class a file belongs to, and the import into a data set."""
