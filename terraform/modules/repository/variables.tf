variable "name" {
  description = "Name of the repository, such as emails/api."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", var.name))
    error_message = "name must be lower-case letters and digits, with a slash, hyphen, dot or underscore between."
  }
}

variable "disposable" {
  description = "Whether the repository may be destroyed while there are images in it."
  type        = bool
  default     = false
  nullable    = false
}

variable "kept_images" {
  description = "How many images that were never deployed are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.kept_images >= 2 && floor(var.kept_images) == var.kept_images
    error_message = "kept_images must be a whole number, 2 at least."
  }
}
