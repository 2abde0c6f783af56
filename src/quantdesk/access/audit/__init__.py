"""The audit: every act as a row that nobody can change without being found out."""
