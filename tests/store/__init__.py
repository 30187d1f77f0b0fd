"""The store on both databases: what it promises, seen from outside."""
