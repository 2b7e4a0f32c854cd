from .max_drop import MaxDrop as MaxDrop, maxima as maxima
