"""Voices: the inventory (`phones`), how a person articulates a sentence (`articulation`), the sound (`synthesis`)."""
