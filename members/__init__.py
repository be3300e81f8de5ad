"""Cities, their people and roles, and membership: who belongs, in which standing, decided by whom."""
