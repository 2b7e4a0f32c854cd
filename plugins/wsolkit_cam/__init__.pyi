from .head import CAMHead as CAMHead
