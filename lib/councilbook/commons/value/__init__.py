"""Value: what the service ideas of all studies cost and bring, and which evidence would help to choose among them."""
