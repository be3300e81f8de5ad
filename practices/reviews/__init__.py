"""Reviews: handing a case study in, and what reviewers of other cities say of it."""
