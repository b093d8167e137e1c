"""A person whose every detail is known, and a search for them where nobody may be found."""
