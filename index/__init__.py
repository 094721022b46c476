"""The cache: Postgres rows and FAISS vectors made from documents. It is fed entries and answers questions."""
