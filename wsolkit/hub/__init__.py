"""Trained models in folders and on the Hugging Face hub: weights without a pickle, and a card."""
