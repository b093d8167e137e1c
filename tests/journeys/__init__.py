"""The main job as people do it, from a partner's file to an opened package."""
