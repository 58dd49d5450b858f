create schema if not exists loyalty
