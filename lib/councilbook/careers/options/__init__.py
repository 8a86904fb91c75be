"""Which jobs, apprenticeships and trainers there are near a young person, and which jobs go with what they like."""
