from .regional_localizers import BagCAMs as BagCAMs, bag_of_localizers as bag_of_localizers
